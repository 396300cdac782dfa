export function random(seed: number): () => number
export function event(next: () => number, position: number, time: number): unknown
export function history(seed: number, n: number, now: number, days?: number): unknown[]
export const HOSTILE: string[]
