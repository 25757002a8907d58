import { Draggable } from '@hello-pangea/dnd';
import { memo } from 'react';

import { dayOf, isOverdue, shortDay } from '../dates';
import type { Task } from '../model';
import { useTexts } from '../texts';

interface Props {
  task: Task;
  index: number;
  isClosed: boolean;
  onOpen: (taskId: string) => void;
}

export const Card = memo(function Card({ task, index, isClosed, onOpen }: Props) {
  const texts = useTexts();
  const late = !isClosed && isOverdue(task.due, Date.now());
  return (
    <Draggable draggableId={task.id} index={index}>
      {(drag, snapshot) => (
        <div
          ref={drag.innerRef}
          {...drag.draggableProps}
          {...drag.dragHandleProps}
          className={snapshot.isDragging ? 'card is-dragged' : 'card'}
          aria-label={task.title}
          onClick={() => onOpen(task.id)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            // The same press would go on to the button of the dialog that has the focus then.
            event.preventDefault();
            onOpen(task.id);
          }}
        >
          <span className="card-title">{task.title}</span>
          <span className="card-facts">
            {task.number && <span>{task.number}</span>}
            {task.due && (
              <span className={late ? 'is-late' : ''}>
                {late ? texts.overdue : texts.due}: {shortDay(dayOf(task.due))}
              </span>
            )}
            {task.assignees.length > 0 && (
              <span>{task.assignees.map((person) => person.name).join(', ')}</span>
            )}
          </span>
        </div>
      )}
    </Draggable>
  );
});
