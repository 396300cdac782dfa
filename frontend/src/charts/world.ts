// The world map, a chunk of its own.
import world from '@/assets/world.json'

export const map = world.map
export const places: Record<string, number[]> = world.places
