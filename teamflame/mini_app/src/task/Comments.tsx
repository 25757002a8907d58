import { type FormEvent, useState } from 'react';

import { moment } from '../dates';
import type { Comment } from '../model';
import { useTexts } from '../texts';

interface Props {
  comments: Comment[];
  send: (text: string) => Promise<void>;
  report: (error: unknown) => void;
}

export function Comments({ comments, send, report }: Props) {
  const texts = useTexts();
  const [text, setText] = useState('');
  const [isBusy, setBusy] = useState(false);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!text.trim() || isBusy) return;
    setBusy(true);
    try {
      await send(text.trim());
      setText('');
    } catch (error) {
      report(error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <>
      <h3>{texts.comments}</h3>
      {comments.length === 0 && <p className="hint">{texts.noComments}</p>}
      <ol className="comments">
        {comments.map((comment) => (
          <li key={comment.id}>
            <span className="hint">
              {comment.author} · {moment(comment.created)}
            </span>
            <p>{comment.text}</p>
          </li>
        ))}
      </ol>
      <form onSubmit={(event) => void submit(event)}>
        <label>
          {texts.comment}
          <textarea
            aria-label={texts.comment}
            rows={2}
            maxLength={10_000}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </label>
        <div className="row is-end">
          <button type="submit" disabled={isBusy || !text.trim()}>
            {texts.send}
          </button>
        </div>
      </form>
    </>
  );
}
