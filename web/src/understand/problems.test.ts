import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { own } from '../api/client'
import { en as limitsEn } from './limits'
import { boundOf, explained, OWN_CODES } from './problems'
import { en } from './problems.en'
import { zh } from './problems.zh'

/** Made from the server's sources, and compared with them by its tests. */
const page = readFileSync(`${import.meta.dirname}/../../../docs/errors.md`, 'utf8')
const taxonomy = [...page.matchAll(/^\| `([A-Z_]+)` \| \d+ \|/gm)].map((match) => match[1] ?? '')

describe('words for problems', () => {
  it('are there for every code of the taxonomy, and for no other', () => {
    expect(taxonomy).toContain('IMAGE_TOO_LARGE')
    expect(Object.keys(en).toSorted()).toEqual([...taxonomy, ...OWN_CODES].toSorted())
  })

  it('are there for every code that the page makes', () => {
    const sources = import.meta.glob<string>(['../**/*.ts', '../**/*.vue', '!../**/*.test.ts'], {
      query: '?raw',
      import: 'default',
      eager: true,
    })
    const made = Object.values(sources).flatMap((source) =>
      [...source.matchAll(/\b(?:own|final)\(\s*'([A-Z_]+)'/g)].map((match) => match[1] ?? ''),
    )
    expect(made).toContain('UNREACHABLE')
    expect(made.filter((code) => !(code in en))).toEqual([])
  })

  it('do not blame the server for what broke in the page', () => {
    expect(explained(own('INTERNAL', 'x is undefined'), 'en')).toBe(en.BROKEN_PAGE)
    expect(explained({ ...own('INTERNAL', 'a bug'), status: 500 }, 'en')).toBe(en.INTERNAL)
  })

  it.each(Object.keys(en) as (keyof typeof en)[])('differ between the languages: %s', (code) => {
    const problem = { ...own(code, ''), status: 500 }
    const [english, chinese] = [explained(problem, 'en'), explained(problem, 'zh')]
    expect(english).toBe(en[code])
    expect(chinese).toBe(zh[code])
    for (const text of Object.values(chinese)) expect(text).toMatch(/[\u4e00-\u9fff]/)
    for (const text of Object.values(english)) expect(text).not.toMatch(/[\u4e00-\u9fff]/)
  })

  it('are the server’s own for a code of a newer server', () => {
    const problem = { ...own('TOO_BLUE', 'the page is too blue: print it again'), title: 'Too blue' }
    expect(explained(problem, 'zh')).toEqual({
      title: 'Too blue',
      todo: 'the page is too blue: print it again',
    })
  })
})

describe('boundOf', () => {
  it.each([
    [
      'the image has 120.5 million pixels (12050 x 10000), the limit (max_pixels) is 100.0 million: make it smaller',
      { name: 'max_pixels', label: limitsEn.max_pixels, limit: '100.0 million', value: '120.5 million' },
    ],
    [
      'the file has more than 200.0 MiB, the limit (max_bytes): split it, or ask for a job',
      { name: 'max_bytes', label: limitsEn.max_bytes, limit: '200.0 MiB', value: '' },
    ],
    [
      '2500 pages are to be read, the limit (max_pages) is 2000: choose fewer',
      { name: 'max_pages', label: limitsEn.max_pages, limit: '2000', value: '2500 pages' },
    ],
    [
      '70 requests are under way, the limit (max_new) is 64',
      { name: 'max_new', label: 'max_new', limit: '64', value: '70 requests' },
    ],
  ])('reads %s', (detail, bound) => {
    expect(boundOf(detail)).toEqual(bound)
  })

  it('finds none where none is named', () => {
    expect(boundOf('the document cannot be decoded')).toBeNull()
  })
})
