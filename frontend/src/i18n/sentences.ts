// The server's sentences about incidents in other languages, by their key. A key that is missing here
// is shown in the server's English.
export const SENTENCES: Partial<Record<string, Partial<Record<string, string>>>> = {
  zh: {},
}
