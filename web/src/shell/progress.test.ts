import { beforeEach, describe, expect, it } from 'vitest'
import { language } from '../settings/settings'
import { progressOf, titleOf } from './progress'

describe('the title of the tab', () => {
  beforeEach(() => {
    language.value = 'en'
  })

  it('is the program where there is no document', () => {
    expect(titleOf(null)).toBe('shizi 识字')
  })

  it('says how far a job is', () => {
    expect(titleOf({ name: 'a.pdf', state: 'job', progress: { done: 37, total: 500 } })).toBe(
      '7 % · a.pdf – shizi',
    )
  })

  it('says nothing but the name at the end', () => {
    expect(titleOf({ name: 'a.pdf', state: 'done', progress: null })).toBe('a.pdf – shizi')
    expect(titleOf({ name: 'a.pdf', state: 'failed', progress: null })).toBe('failed · a.pdf – shizi')
  })
})

describe('progress in words', () => {
  it('counts pages once they are known', () => {
    language.value = 'en'
    expect(progressOf({ state: 'reading', progress: { done: 0, total: null } })).toBe('reading…')
    expect(progressOf({ state: 'job', progress: { done: 3, total: 9 } })).toBe('reading, 3 of 9')
    language.value = 'zh'
    expect(progressOf({ state: 'cancelled', progress: null })).toBe('已取消')
  })
})
