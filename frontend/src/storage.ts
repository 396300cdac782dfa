// The reader's own settings, kept in the browser; a browser that keeps nothing is not an error.

export function recall(name: string): string | null {
  try {
    return localStorage.getItem(`logvision.${name}`)
  } catch {
    return null
  }
}

export function keep(name: string, value: string): void {
  try {
    localStorage.setItem(`logvision.${name}`, value)
  } catch {
    // Private windows may refuse storage: the setting lasts until the page is closed.
  }
}
