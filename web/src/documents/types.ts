/** The values that flow through the page; names as in the JSON of the schema "shizi/1". */
import type { components } from '../api/schema'

type Schemas = components['schemas']
/** What the server read from one file. */
export type Doc = Schemas['DocumentBody']
export type Page = Schemas['Page']
export type Line = Schemas['Line']
export type Word = Schemas['Word']
export type Table = Schemas['Table']
export type Field = Schemas['Field']
/** An error as the server tells it (RFC 9457); the page makes its own in the same form, with status 0. */
export type Problem = Schemas['Problem']
/** Corners in pixels of the original page, clockwise from the text's own top-left corner. */
export type Polygon = readonly (readonly [number, number])[]

/**
 * Where an entry is: waiting for its turn, being read (a preview may be there already), an order in the background, or at its end.
 */
export type State = 'waiting' | 'reading' | 'job' | 'done' | 'failed' | 'cancelled'

export interface Progress {
  readonly done: number
  /** null while nobody has counted the pages. */
  readonly total: number | null
}

/** A change that a person made, in the form that `POST /v1/export` takes; line numbers are those of the document as it was read. */
export interface LineEdit {
  /** `number` of the page. */
  readonly page: number
  /** Counted from 1; null for a line that was added. */
  readonly line: number | null
  /** Of an added line: the line that it follows; 0 for the first place. */
  readonly after?: number
  readonly polygon?: Polygon
  readonly score?: number
  /** Empty: the line is removed. */
  readonly text: string
  /** Of an added line: names it within the page. */
  readonly id?: string
}

/** One file that a person gave. `document`, `file` and `edits` are replaced, never changed in place. */
export interface Entry {
  readonly id: string
  readonly name: string
  readonly size: number
  readonly addedAt: number
  readonly kind: 'image' | 'pdf' | 'other'
  /** null where the browser keeps it no more: the text can still be read, the picture is gone. */
  file: Blob | null
  password: string | null
  state: State
  progress: Progress | null
  jobId: string | null
  /** Sent with the order of a job, so that sending it again does not order it twice. */
  orderKey?: string | null
  /** As it was read; for a job, the pages so far. */
  document: Doc | null
  /** The document comes from a reduced image; the full one is on its way. */
  preview: boolean
  problem: Problem | null
  requestId: string | null
  sha256: string | null
  edits: readonly LineEdit[]
  /** Keys of lines that a person has looked at and found right. */
  checked: readonly string[]
}

/** A line as it is shown: with the person's changes. */
export interface ShownLine {
  /** "3:12" for line 12 of page 3 as read, "3:+id" for an added one: unique within the entry. */
  readonly key: string
  readonly page: number
  /** Counted from 1; null for an added line. */
  readonly number: number | null
  readonly text: string
  readonly score: number
  readonly polygon: Polygon
  readonly angle: number
  readonly vertical: boolean
  readonly words: readonly Word[]
  /** As it was read; null for an added line. */
  readonly original: Line | null
  readonly edited: boolean
  readonly checked: boolean
}
