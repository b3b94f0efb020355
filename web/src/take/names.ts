/** Names of the files that are taken. */

const LONGEST = 120
const NEVER = /[\p{Cc}\p{Cf}\p{Cs}\\/:*?"<>|]+/gu
/** Windows takes these for devices, whatever follows the point. */
const DEVICES = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i

/** The name of a document's file without its ending, such that every system takes it. */
export function stemOf(name: string): string {
  const last = name.split(/[\\/]/).at(-1) ?? ''
  const stem = last.replace(/(?<=.)\.[^.]{1,5}$/, '')
  const safe = [...stem.normalize('NFC').replace(NEVER, '_')]
    .slice(0, LONGEST)
    .join('')
    .replace(/^[. ]+|[. ]+$/g, '')
  if (!safe) return 'document'
  return DEVICES.test(safe) ? `_${safe}` : safe
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
