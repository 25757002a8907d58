// What a board shows, as pure functions: the last answer of the service, and the moves that it has not confirmed yet.

import type { Board, Column, Task } from '../model';

export interface Move {
  taskId: string;
  from: string;
  to: string;
}

export interface BoardState {
  board: Board;
  moves: readonly Move[];
}

/**
 * Takes the newest answer; cards that stay in their column keep their places there, and cards that have not
 * changed stay the same objects, so that only the others are drawn again.
 */
export function refreshed(state: BoardState | null, board: Board): BoardState {
  if (state === null || state.board.id !== board.id) return { board, moves: [] };
  const columns = board.columns.map((column) => {
    const before = state.board.columns.find((each) => each.id === column.id);
    if (!before) return column;
    return { ...column, tasks: sameIfEqual(before.tasks, inOrder(before.tasks, column.tasks)) };
  });
  return { ...state, board: { ...board, columns } };
}

export function moveBegun(state: BoardState, move: Move): BoardState {
  return { ...state, moves: [...state.moves.filter((each) => each.taskId !== move.taskId), move] };
}

/** Forgets an unconfirmed move, so that the board shows what the service last said. */
export function moveUndone(state: BoardState, move: Move): BoardState {
  return { ...state, moves: state.moves.filter((each) => each !== move) };
}

export function moveConfirmed(state: BoardState, move: Move, task: Task): BoardState {
  return moveUndone(withTask(state, task), move);
}

/** Puts a task where it says it belongs: it is new, or has changed. */
export function withTask(state: BoardState, task: Task): BoardState {
  const columns = state.board.columns.map((column) => {
    const isThere = column.tasks.some((each) => each.id === task.id);
    if (column.id !== task.column_id) {
      return isThere ? { ...column, tasks: column.tasks.filter((t) => t.id !== task.id) } : column;
    }
    const tasks = isThere
      ? column.tasks.map((each) => (each.id === task.id ? task : each))
      : [...column.tasks, task];
    return { ...column, tasks };
  });
  return { ...state, board: { ...state.board, columns } };
}

export function withColumn(state: BoardState, column: Column): BoardState {
  const added = { ...column, tasks: column.tasks ?? [] };
  return { ...state, board: { ...state.board, columns: [...state.board.columns, added] } };
}

/** Returns the columns as they look with the unconfirmed moves. */
export function shownColumns({ board, moves }: BoardState): Column[] {
  return moves.reduce(moved, board.columns);
}

export function taskOf(state: BoardState, taskId: string): Task | null {
  for (const column of shownColumns(state)) {
    const task = column.tasks.find((each) => each.id === taskId);
    if (task) return task;
  }
  return null;
}

function moved(columns: Column[], move: Move): Column[] {
  const task = columns.flatMap((column) => column.tasks).find((each) => each.id === move.taskId);
  if (!task || task.column_id === move.to) return columns;
  if (!columns.some((column) => column.id === move.to)) return columns;
  return columns.map((column) => {
    if (column.id === task.column_id) {
      return { ...column, tasks: column.tasks.filter((each) => each.id !== task.id) };
    }
    if (column.id === move.to) {
      return { ...column, tasks: [...column.tasks, { ...task, column_id: move.to }] };
    }
    return column;
  });
}

function inOrder(before: Task[], now: Task[]): Task[] {
  const places = new Map(before.map((task, place) => [task.id, place]));
  return [...now].sort(
    (a, b) => (places.get(a.id) ?? before.length) - (places.get(b.id) ?? before.length),
  );
}

function sameIfEqual(before: Task[], now: Task[]): Task[] {
  const known = new Map(before.map((task) => [task.id, task]));
  return now.map((task) => {
    const old = known.get(task.id);
    return old && JSON.stringify(old) === JSON.stringify(task) ? old : task;
  });
}
