/** Calls of the server: addresses relative to the page, the session's key, errors in one form. */
import type { Problem } from '../documents/types'
import { asked, key } from '../session/session'

/** Anything that went wrong: what the server says (RFC 9457), or, with status 0, that it could not be reached. */
export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail)
    this.name = 'ApiError'
  }
}

/** An answer of 2xx. `path` is relative, without a slash in front: `v1/ocr`. A call that was aborted throws its own DOMException. */
export async function call(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers)
  if (key.value) headers.set('Authorization', `Bearer ${key.value}`)
  let answer: Response
  try {
    answer = await fetch(new URL(path, document.baseURI), {
      ...init,
      headers,
      credentials: 'omit',
      redirect: 'error',
    })
  } catch (error) {
    if (init.signal?.aborted) throw error
    throw new ApiError(own('UNREACHABLE', String(error)))
  }
  if (answer.ok) return answer
  if (answer.status === 401) asked.value = true
  throw new ApiError(await problemOf(answer))
}

/** A problem that the page itself found; its code is one of its own. */
export function own(code: string, detail: string): Problem {
  return {
    type: 'about:blank',
    title: code,
    status: 0,
    detail,
    code,
    number: 0,
    parameters: null,
    request_id: '',
    retryable: true,
    retry_after: null,
  }
}

async function problemOf(answer: Response): Promise<Problem> {
  const requestId = answer.headers.get('X-Request-ID') ?? ''
  try {
    const body = (await answer.json()) as Partial<Problem>
    if (typeof body.code === 'string' && typeof body.detail === 'string') return body as Problem
  } catch {
    // a proxy's page, or nothing at all
  }
  return {
    ...own('UNEXPECTED_ANSWER', `HTTP ${answer.status}`),
    status: answer.status,
    request_id: requestId,
  }
}
