/** Errors in words: what happened, what to do, and the limit and the value that the server names in its `detail`. */
import type { Problem } from '../documents/types'
import { messages, translate } from '../i18n'
import { en } from './problems.en'
import { zh } from './problems.zh'
import { en as limitsEn, zh as limitsZh } from './limits'

export type Code = keyof typeof en

/** Codes that the page itself makes; all others are of the server's taxonomy. */
export const OWN_CODES: readonly Code[] = [
  'UNREACHABLE',
  'UNEXPECTED_ANSWER',
  'PICTURE_GONE',
  'INTERRUPTED',
  'BROKEN_PAGE',
  'ARCHIVE_TOO_LARGE',
]

const limitNames = messages(limitsEn, limitsZh)
const limitName = translate(limitNames)

export interface Explained {
  readonly title: string
  readonly todo: string
}

export interface Bound {
  /** As the server calls it: "max_pixels". */
  readonly name: string
  readonly label: string
  /** Empty where the detail says none. */
  readonly limit: string
  readonly value: string
}

export function isKnown(code: string): code is Code {
  return Object.hasOwn(en, code)
}

/** A problem in the words of a language; one of a newer server in the server's own. */
export function explained(problem: Problem, language: 'en' | 'zh'): Explained {
  const all = language === 'zh' ? zh : en
  if (problem.code === 'INTERNAL' && problem.status === 0) return all.BROKEN_PAGE
  if (isKnown(problem.code)) return all[problem.code]
  return { title: problem.title || problem.code, todo: problem.detail }
}

const QUANTITY = String.raw`\d[\d.,]*(?: (?:million|[KMG]i?B|bytes|pages|pixels|words|s|requests|corrections)\b)?`
const NAMED = new RegExp(String.raw`limit \((\w+)\)(?: (?:is|of) (${QUANTITY}))?`)

/** The limit that a detail names, with its value where it says one: "has 120.0 million pixels, the limit (max_pixels) is 100.0 million". */
export function boundOf(detail: string): Bound | null {
  const found = NAMED.exec(detail)
  if (!found) return null
  const [, name = '', after] = found
  const before = quantities(detail.slice(0, found.index))
  const over = /(?:more than|over) [^,;:]*$/.test(detail.slice(0, found.index).split(/, the $/)[0] ?? '')
  const limit = after ?? (over ? (before.at(-1) ?? '') : '')
  const value = after ? (before.at(0) ?? '') : ''
  return { name, label: isLimit(name) ? limitName(name) : name, limit, value }
}

function quantities(text: string): string[] {
  return [...text.matchAll(new RegExp(QUANTITY, 'g'))].map((match) => match[0])
}

function isLimit(name: string): name is keyof typeof limitsEn {
  return Object.hasOwn(limitsEn, name)
}
