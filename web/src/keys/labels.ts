/** Names of keys as they stand on keyboards. */
const NAMES: Readonly<Record<string, string>> = {
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
  Escape: 'Esc',
  PageUp: 'Page ↑',
  PageDown: 'Page ↓',
  Delete: 'Del',
  Control: 'Ctrl',
  Enter: 'Enter ↵',
}

/** "Control+ArrowLeft" → "Ctrl + ←"; a single letter is written large. */
export function keyLabel(key: string, space: string): string {
  const parts = key === '+' ? ['+'] : key.split(/\+(?=.)/)
  return parts
    .map((part) => (part === ' ' ? space : (NAMES[part] ?? (part.length === 1 ? part.toUpperCase() : part))))
    .join(' + ')
}
