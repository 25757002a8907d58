// Keeps one board up to date, and carries out what the user does with it.

import { useCallback, useEffect, useRef, useState } from 'react';

import { type Api, Refused } from '../api';
import type { Task } from '../model';
import { vibrate } from '../telegram';
import {
  type BoardState,
  type Move,
  moveBegun,
  moveConfirmed,
  moveUndone,
  refreshed,
  withColumn,
  withTask,
} from './boardState';

const INTERVAL = 15_000; // milliseconds between two looks at a visible board

export interface BoardControls {
  state: BoardState | null;
  refresh: () => Promise<void>;
  move: (task: Task, columnId: string) => Promise<void>;
  createTask: (title: string, columnId: string) => Promise<void>;
  createColumn: (name: string) => Promise<void>;
  replaceTask: (task: Task) => void;
}

export function useBoard(
  api: Api,
  boardId: string,
  report: (error: unknown) => void,
): BoardControls {
  const [state, setState] = useState<BoardState | null>(null);
  const etag = useRef<string | null>(null);
  const changes = useRef(0);

  const refresh = useCallback(async () => {
    const before = changes.current;
    try {
      const answer = await api.board(boardId, etag.current);
      // An answer that began before our own change, or for another board, shows what is over.
      if (answer === null || changes.current !== before) return;
      etag.current = answer.etag;
      setState((known) => refreshed(known, answer.value));
    } catch (error) {
      report(error);
    }
  }, [api, boardId, report]);

  useEffect(() => {
    changes.current += 1;
    etag.current = null;
    setState(null);
    void refresh();
    const look = () => {
      if (document.visibilityState === 'visible') void refresh();
    };
    const timer = setInterval(look, INTERVAL);
    document.addEventListener('visibilitychange', look);
    window.addEventListener('online', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
      window.removeEventListener('online', look);
    };
  }, [refresh]);

  const change = useCallback((next: (known: BoardState) => BoardState) => {
    // What was read before our own change must not be taken for the newest state.
    changes.current += 1;
    etag.current = null;
    setState((known) => (known ? next(known) : known));
  }, []);

  const move = useCallback(
    async (task: Task, columnId: string) => {
      const made: Move = { taskId: task.id, from: task.column_id, to: columnId };
      change((known) => moveBegun(known, made));
      try {
        const confirmed = await api.moveTask(task.id, made.from, made.to);
        change((known) => moveConfirmed(known, made, confirmed));
        vibrate('success');
      } catch (error) {
        change((known) => moveUndone(known, made));
        report(error);
        if (error instanceof Refused) await refresh();
      }
    },
    [api, change, refresh, report],
  );

  const createTask = useCallback(
    async (title: string, columnId: string) => {
      const task = await api.createTask(title, columnId, boardId);
      change((known) => withTask(known, task));
    },
    [api, boardId, change],
  );

  const createColumn = useCallback(
    async (name: string) => {
      const column = await api.createColumn(name, boardId);
      change((known) => withColumn(known, column));
    },
    [api, boardId, change],
  );

  const replaceTask = useCallback(
    (task: Task) => change((known) => withTask(known, task)),
    [change],
  );

  return { state, refresh, move, createTask, createColumn, replaceTask };
}
