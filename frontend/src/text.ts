// Hostile text made visible. Every value that came from a log passes through here before it is shown.

/** A piece of text; `odd` pieces stand for characters that would hide, reorder or forge what is read. */
export interface Piece {
  text: string
  odd: boolean
}

// Control characters; format characters (directional overrides and isolates, zero-width ones, tags, BOM);
// line and paragraph separators; lone surrogates; everything else that fonts show as nothing.
const ODD = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu

const NAMES: Record<string, string> = { '\t': '\\t', '\n': '\\n', '\r': '\\r' }

/** What an odd character is shown as: \xHH for a control byte, U+HHHH for the rest. */
function name(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (NAMES[character]) return NAMES[character]
  const hex = code.toString(16).toUpperCase()
  return code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `‹U+${hex.padStart(4, '0')}›`
}

/** Cut a text into ordinary pieces and odd ones that carry a visible name instead of themselves. */
export function pieces(text: string): Piece[] {
  const out: Piece[] = []
  let end = 0
  for (const match of text.matchAll(ODD)) {
    if (match.index > end) out.push({ text: text.slice(end, match.index), odd: false })
    out.push({ text: name(match[0]), odd: true })
    end = match.index + match[0].length
  }
  if (end < text.length) out.push({ text: text.slice(end), odd: false })
  return out
}

/** The text with every odd character replaced by its visible name. */
export const visible = (text: string): string => text.replace(ODD, name)

/** At most `limit` UTF-16 units, never half a character, and how many were left off. */
export function clip(text: string, limit: number): { text: string; left: number } {
  if (text.length <= limit) return { text, left: 0 }
  let end = limit
  const last = text.charCodeAt(end - 1)
  if (last >= 0xd800 && last <= 0xdbff) end -= 1
  return { text: text.slice(0, end), left: text.length - end }
}

const HTML: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text for a chart's tooltip, the one place where the page hands over HTML. */
export const escapeHtml = (text: string): string => visible(text).replace(/[&<>"']/g, c => HTML[c] ?? c)
