// Actors as incidents name them: "ip:203.0.113.7", "net:203.0.113.0/24", "asn:64496", "agent:<hash>", "site:<name>".

export interface ActorName {
  kind: string
  value: string
}

/** The kind and the value of an actor's name; a name without a kind is its own value. */
export function readActor(actor: string): ActorName {
  const colon = /^[a-z_]+:/.exec(actor)
  return colon
    ? { kind: colon[0].slice(0, -1), value: actor.slice(colon[0].length) }
    : { kind: '', value: actor }
}

/** What stands on the page for an actor; `site`: for a site whose log does not name it. */
export function actorText(actor: string, site: string): string {
  const { kind, value } = readActor(actor)
  return kind === 'site' && value === '-' ? site : value
}

/** The filter that gives an actor's events: field and value; null: no field holds it. */
export function actorFilter(actor: string): { field: string; value: string } | null {
  const { kind, value } = readActor(actor)
  if (kind === 'ip') return { field: 'client_ip', value }
  if (kind === 'asn') return { field: 'asn', value }
  if (kind === 'site') return { field: 'site', value }
  if (kind === 'net') {
    // The server takes IPv4 networks of these sizes; others have no filter.
    return /^[\d.]+\/(8|16|24)$/.test(value) ? { field: 'client_ip', value } : null
  }
  return null
}
