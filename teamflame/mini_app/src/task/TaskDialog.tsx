import { useCallback, useEffect, useState } from 'react';

import { type Api, Refused } from '../api';
import { dayOf, endOf, startOf } from '../dates';
import { Dialog } from '../Dialog';
import type { Column, Person, Task, TaskChange, TaskDetails } from '../model';
import { guardClosing } from '../telegram';
import { useTexts } from '../texts';
import { AssigneeChoice } from './AssigneeChoice';
import { Comments } from './Comments';

interface Props {
  api: Api;
  taskId: string;
  known: Task | null;
  columns: Column[];
  people: Person[];
  report: (error: unknown) => void;
  onMove: (task: Task, columnId: string) => Promise<void>;
  onChange: (task: Task) => void;
  onGone: () => void;
  onClose: () => void;
}

/** Descriptions that were typed and not saved, so that closing a card by mistake loses nothing. */
const drafts = new Map<string, string>();

export function TaskDialog(props: Props) {
  const { api, taskId, known, columns, people, report, onMove, onChange, onGone, onClose } = props;
  const texts = useTexts();
  const [details, setDetails] = useState<TaskDetails | null>(null);
  const [isGone, setGone] = useState(false);
  const [draft, setDraft] = useState<string | null>(drafts.get(taskId) ?? null);
  const [isSaved, setSaved] = useState(false);

  const load = useCallback(async () => {
    try {
      setDetails(await api.task(taskId));
    } catch (error) {
      if (error instanceof Refused && error.status === 404) {
        setGone(true);
        onGone();
      } else report(error);
    }
  }, [api, onGone, report, taskId]);

  // The board is refreshed while a card is open, so the card is read once only.
  useEffect(() => {
    void load();
  }, [taskId]);

  const isDirty = draft !== null && draft !== (details?.description ?? '');
  useEffect(() => {
    if (draft === null) drafts.delete(taskId);
    else drafts.set(taskId, draft);
    guardClosing(isDirty);
    return () => guardClosing(false);
  }, [draft, isDirty, taskId]);

  const change = async (wanted: TaskChange, isText = false) => {
    if (!details) return;
    const before = details;
    setDetails({ ...before, ...shownAtOnce(wanted, people) });
    try {
      const guard = isText && before.updated ? { updated: before.updated } : {};
      const changed = await api.changeTask(taskId, { ...wanted, ...guard });
      setDetails((now) => ({ ...changed, comments: now?.comments ?? changed.comments ?? [] }));
      onChange(changed);
      if (isText) {
        setDraft(null);
        setSaved(true);
      }
    } catch (error) {
      setDetails(before);
      report(error);
      if (error instanceof Refused && error.status === 409) await load();
    }
  };

  const task = details ?? known;
  if (isGone || !task) {
    return (
      <Dialog label={texts.title} onClose={onClose}>
        <p>{isGone ? texts.taskIsGone : texts.loading}</p>
      </Dialog>
    );
  }
  const columnId = known?.column_id ?? task.column_id;
  return (
    <Dialog label={task.title} onClose={onClose}>
      <label>
        {texts.moveTo}
        <select
          aria-label={texts.moveTo}
          value={columnId}
          onChange={(event) => void onMove({ ...task, column_id: columnId }, event.target.value)}
        >
          {columns.map((column) => (
            <option key={column.id} value={column.id}>
              {column.name}
            </option>
          ))}
        </select>
      </label>
      <div className="row">
        <label>
          {texts.startDate}
          <input
            type="date"
            disabled={!details}
            value={dayOf(task.start)}
            onChange={(event) => void change({ start: startOf(event.target.value) })}
          />
        </label>
        <label>
          {texts.dueDate}
          <input
            type="date"
            disabled={!details}
            value={dayOf(task.due)}
            onChange={(event) => void change({ due: endOf(event.target.value) })}
          />
        </label>
      </div>
      <AssigneeChoice
        people={people}
        chosen={task.assignees}
        isDisabled={!details}
        onChoose={(ids) => void change({ assignee_ids: ids })}
      />
      <label>
        {texts.description}
        <textarea
          aria-label={texts.description}
          rows={4}
          maxLength={20_000}
          disabled={!details}
          value={draft ?? details?.description ?? ''}
          onChange={(event) => {
            setSaved(false);
            setDraft(event.target.value);
          }}
        />
      </label>
      <div className="row is-end">
        <span role="status">{isSaved && !isDirty ? texts.saved : ''}</span>
        <button
          type="button"
          disabled={!isDirty}
          onClick={() => void change({ description: draft ?? '' }, true)}
        >
          {texts.save}
        </button>
      </div>
      {details && (
        <Comments
          comments={details.comments}
          send={async (text) => {
            const made = await api.comment(taskId, text);
            setDetails((now) => now && { ...now, comments: [...now.comments, made] });
          }}
          report={report}
        />
      )}
    </Dialog>
  );
}

function shownAtOnce(wanted: TaskChange, people: Person[]): Partial<TaskDetails> {
  const { assignee_ids, start, due, description } = wanted;
  return {
    ...(start !== undefined && { start }),
    ...(due !== undefined && { due }),
    ...(description !== undefined && { description }),
    ...(assignee_ids && { assignees: people.filter((each) => assignee_ids.includes(each.id)) }),
  };
}
