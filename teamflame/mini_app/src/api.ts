// The only module that calls the service.

import type {
  Account,
  Board,
  BoardPlace,
  Column,
  Comment,
  Launch,
  NotificationChoice,
  Place,
  Selection,
  Task,
  TaskChange,
  TaskDetails,
} from './model';

const TIME_LIMIT = 20_000; // milliseconds
const ROOT = new URL('../api', document.baseURI).pathname;

/** The service refused a call; `code` is its word for the reason. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
  ) {
    super(detail || code);
  }
}

/** The service cannot be reached, or not in time. */
export class Unreachable extends Error {}

export interface Etagged<T> {
  value: T;
  etag: string | null;
}

interface Call {
  body?: unknown;
  etag?: string | null;
}

/** When each call that has no answer yet began. */
const running = new Set<{ since: number }>();

/** For how many milliseconds the oldest call has been waiting. */
export function oldestCall(): number {
  const since = Math.min(...[...running].map((each) => each.since));
  return running.size ? performance.now() - since : 0;
}

export class Api {
  private token: string | null = null;
  private lastChange: Promise<unknown> = Promise.resolve();

  constructor(private readonly initData: string) {}

  async launch(): Promise<Launch> {
    const headers = { Authorization: `tma ${this.initData}` };
    const launch = (await read(await send('POST', '/auth/telegram', headers, {}))) as Launch;
    this.token = launch.token;
    return launch;
  }

  async signIn(email: string, password: string): Promise<Account> {
    const answer = await this.call<{ account: Account }>('POST', '/auth/sign-in', {
      body: { email, password },
    });
    return answer.account;
  }

  async signOut(): Promise<void> {
    await this.call('POST', '/auth/sign-out', { body: {} });
  }

  async spaces(): Promise<Place[]> {
    return (await this.call<{ spaces: Place[] }>('GET', '/spaces')).spaces;
  }

  async projects(spaceId: string): Promise<Place[]> {
    const path = `/projects?space_id=${encodeURIComponent(spaceId)}`;
    return (await this.call<{ projects: Place[] }>('GET', path)).projects;
  }

  async boards(projectId: string): Promise<BoardPlace[]> {
    const path = `/boards?project_id=${encodeURIComponent(projectId)}`;
    return (await this.call<{ boards: BoardPlace[] }>('GET', path)).boards;
  }

  createBoard(name: string, projectId: string, spaceId: string): Promise<BoardPlace> {
    return this.call('POST', '/boards', {
      body: { name, project_id: projectId, space_id: spaceId },
    });
  }

  /** Returns null if the board is still the one that the ETag names. */
  async board(id: string, etag: string | null = null): Promise<Etagged<Board> | null> {
    const response = await this.respond('GET', `/boards/${encodeURIComponent(id)}`, { etag });
    if (response.status === 304) return null;
    return { value: (await read(response)) as Board, etag: response.headers.get('ETag') };
  }

  async select(boardId: string): Promise<Selection> {
    const path = `/boards/${encodeURIComponent(boardId)}/selected`;
    return (await this.call<{ selection: Selection }>('PUT', path, { body: {} })).selection;
  }

  async notifications(boardId: string): Promise<NotificationChoice> {
    const path = `/boards/${encodeURIComponent(boardId)}/notifications`;
    return (await this.call<{ kinds: NotificationChoice }>('GET', path)).kinds;
  }

  async chooseNotifications(boardId: string, kinds: NotificationChoice): Promise<void> {
    const path = `/boards/${encodeURIComponent(boardId)}/notifications`;
    await this.call('PUT', path, { body: { kinds } });
  }

  createColumn(name: string, boardId: string): Promise<Column> {
    return this.call('POST', '/columns', { body: { name, board_id: boardId } });
  }

  createTask(title: string, columnId: string, boardId: string): Promise<Task> {
    const body = { title, column_id: columnId, board_id: boardId };
    return this.call('POST', '/tasks', { body });
  }

  task(id: string): Promise<TaskDetails> {
    return this.call('GET', `/tasks/${encodeURIComponent(id)}`);
  }

  changeTask(id: string, change: TaskChange): Promise<TaskDetails> {
    return this.call('PATCH', `/tasks/${encodeURIComponent(id)}`, { body: change });
  }

  moveTask(id: string, from: string, to: string): Promise<Task> {
    const body = { column_id: to, from_column_id: from };
    return this.call('POST', `/tasks/${encodeURIComponent(id)}/move`, { body });
  }

  comment(taskId: string, text: string): Promise<Comment> {
    return this.call('POST', '/comments', { body: { task_id: taskId, text } });
  }

  private async call<T>(method: string, path: string, call: Call = {}): Promise<T> {
    const run = async () => (await read(await this.respond(method, path, call))) as T;
    if (method === 'GET') return run();
    // TeamFlame stores a task as a whole: changes sent at the same time would undo each other.
    const done = this.lastChange.then(run, run);
    this.lastChange = done;
    return done;
  }

  /** A token that has expired is exchanged once; the call was refused, so it may be repeated. */
  private async respond(method: string, path: string, call: Call): Promise<Response> {
    const response = await send(method, path, this.headers(call), call.body);
    if (response.status !== 401) return response;
    await this.launch();
    return send(method, path, this.headers(call), call.body);
  }

  private headers(call: Call): Record<string, string> {
    const headers: Record<string, string> = { Authorization: `Bearer ${this.token ?? ''}` };
    if (call.etag) headers['If-None-Match'] = call.etag;
    return headers;
  }
}

async function send(
  method: string,
  path: string,
  headers: Record<string, string>,
  body: unknown,
): Promise<Response> {
  const init: RequestInit = { method, headers, signal: AbortSignal.timeout(TIME_LIMIT) };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { ...headers, 'Content-Type': 'application/json' };
  }
  const entry = { since: performance.now() };
  running.add(entry);
  try {
    return await fetch(ROOT + path, init);
  } catch (error) {
    throw new Unreachable(String(error));
  } finally {
    running.delete(entry);
  }
}

async function read(response: Response): Promise<unknown> {
  let answer: unknown;
  try {
    answer = await response.json();
  } catch {
    throw new Unreachable(`an answer without a body, status ${response.status}`);
  }
  if (response.ok) return answer;
  const { error, detail } = answer as { error?: string; detail?: unknown };
  throw new Refused(response.status, error ?? 'unknown', typeof detail === 'string' ? detail : '');
}
