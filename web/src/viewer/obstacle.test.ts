import { afterEach, describe, expect, it } from 'vitest'
import { ApiError, own } from '../api/client'
import { language } from '../settings/settings'
import { obstacleOf, wordsOf } from './obstacle'
import { NoFile } from './pixels'

afterEach(() => {
  language.value = 'en'
})

describe('why a page has no picture', () => {
  it('is said in the language of the person', () => {
    const obstacle = obstacleOf(new ApiError(own('CORRUPT_DOCUMENT', 'the marker at byte 7 is not one')))
    expect(wordsOf(obstacle)).toBe('The page cannot be shown: The file is damaged')
    language.value = 'zh'
    expect(wordsOf(obstacle)).toBe('无法显示此页：文件已损坏')
  })

  it.each([
    [new NoFile('a.png'), 'gone'],
    [Object.assign(new Error('No password given'), { name: 'PasswordException' }), 'locked'],
    [new ApiError(own('ENCRYPTED_DOCUMENT', 'it needs a password')), 'locked'],
    [new TypeError('canvas'), 'undrawn'],
  ])('is of one kind: %s', (error, kind) => {
    expect(obstacleOf(error).kind).toBe(kind)
  })
})
