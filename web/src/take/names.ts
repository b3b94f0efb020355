/** Names of the files that are taken. */

/** File systems take 255, and numbers and endings follow. */
const MOST_BYTES = 200
const NEVER = /[\p{Cc}\p{Cf}\p{Cs}\\/:*?"<>|]+/gu
/** Windows takes these for devices, whatever follows the point. */
const DEVICES = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i

/** The name of a document's file without its ending, such that every system takes it. */
export function stemOf(name: string): string {
  const last = name.split(/[\\/]/).at(-1) ?? ''
  const stem = last.replace(/(?<=.)\.[^.]{1,5}$/, '')
  const safe = shortened(stem.normalize('NFC').replace(NEVER, '_')).replace(/^[. ]+|[. ]+$/g, '')
  if (!safe) return 'document'
  return DEVICES.test(safe) ? `_${safe}` : safe
}

/** Whole characters only. */
function shortened(text: string): string {
  const bytes = new TextEncoder().encode(text).subarray(0, MOST_BYTES)
  return new TextDecoder().decode(bytes).replace(/\ufffd+$/, '')
}

/** Names for several documents, in their order; equal ones (also but for case) are numbered. */
export function namesOf(names: readonly string[], extension: string): string[] {
  const taken = new Set<string>()
  return names.map((name) => {
    const stem = stemOf(name)
    let candidate = stem
    for (let number = 2; taken.has(candidate.toLowerCase()); number++) candidate = `${stem} (${number})`
    taken.add(candidate.toLowerCase())
    return candidate + extension
  })
}
