import {
  DragDropContext,
  type DragStart,
  type DragUpdate,
  type DropResult,
  type ResponderProvided,
} from '@hello-pangea/dnd';
import { useCallback, useEffect, useMemo, useState } from 'react';

import type { Api } from '../api';
import { NameForm } from '../NameForm';
import { TaskDialog } from '../task/TaskDialog';
import { useTexts } from '../texts';
import { shownColumns, taskOf } from './boardState';
import { ColumnView } from './ColumnView';
import { useBoard } from './useBoard';

interface Props {
  api: Api;
  boardId: string;
  /** The card that a deep link names. */
  firstTaskId: string | null;
  report: (error: unknown) => void;
  onNamed: (name: string) => void;
}

export function BoardView({ api, boardId, firstTaskId, report, onNamed }: Props) {
  const texts = useTexts();
  const { state, refresh, move, createTask, createColumn, replaceTask } = useBoard(
    api,
    boardId,
    report,
  );
  const [openTaskId, setOpenTaskId] = useState(firstTaskId);
  // The board may be shown already when it is known where the card of the link is.
  useEffect(() => {
    if (firstTaskId) setOpenTaskId(firstTaskId);
  }, [firstTaskId]);
  const columns = useMemo(() => (state ? shownColumns(state) : []), [state]);
  const name = state?.board.name;

  useEffect(() => {
    if (name) onNamed(name);
  }, [name, onNamed]);

  const announce = useCallback(
    (said: string, columnId: string | undefined, { announce: say }: ResponderProvided) => {
      const column = columns.find((each) => each.id === columnId);
      say(column ? said.replace('{column}', column.name) : texts.dragNowhere);
    },
    [columns, texts],
  );
  const drop = useCallback(
    ({ draggableId, source, destination }: DropResult, provided: ResponderProvided) => {
      announce(texts.dragDropped, destination?.droppableId, provided);
      if (!state || !destination || destination.droppableId === source.droppableId) return;
      const task = taskOf(state, draggableId);
      if (task) void move(task, destination.droppableId);
    },
    [announce, move, state, texts],
  );
  const create = useCallback(
    (title: string, columnId: string) => reported(createTask(title, columnId), report),
    [createTask, report],
  );
  const close = useCallback(() => setOpenTaskId(null), []);

  if (!state) return <p className="waiting">{texts.loading}</p>;
  return (
    <DragDropContext
      onDragStart={({ source }: DragStart, provided) =>
        announce(texts.dragLifted, source.droppableId, provided)
      }
      onDragUpdate={({ destination }: DragUpdate, provided) =>
        announce(texts.dragOver, destination?.droppableId, provided)
      }
      onDragEnd={drop}
      dragHandleUsageInstructions={texts.dragHint}
      nonce={styleNonce()}
    >
      <main className="board" tabIndex={-1}>
        {columns.map((column) => (
          <ColumnView key={column.id} column={column} onOpen={setOpenTaskId} onCreate={create} />
        ))}
        <div className="column is-new">
          <NameForm
            opener={texts.newColumn}
            label={texts.name}
            onCreate={(title) => reported(createColumn(title), report)}
          />
        </div>
      </main>
      {openTaskId && (
        <TaskDialog
          key={openTaskId}
          api={api}
          taskId={openTaskId}
          known={taskOf(state, openTaskId)}
          columns={columns}
          people={state.board.people}
          report={report}
          onMove={move}
          onChange={replaceTask}
          onGone={() => void refresh()}
          onClose={close}
        />
      )}
    </DragDropContext>
  );
}

/** The service allows no style without this nonce. */
function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name=csp-nonce]')?.content ?? '';
}

async function reported(action: Promise<void>, report: (error: unknown) => void): Promise<void> {
  try {
    await action;
  } catch (error) {
    report(error);
    throw error;
  }
}
