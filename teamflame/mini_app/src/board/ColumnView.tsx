import { Droppable } from '@hello-pangea/dnd';
import { memo } from 'react';

import type { Column } from '../model';
import { NameForm } from '../NameForm';
import { useTexts } from '../texts';
import { Card } from './Card';

interface Props {
  column: Column;
  onOpen: (taskId: string) => void;
  onCreate: (title: string, columnId: string) => Promise<void>;
}

export const ColumnView = memo(function ColumnView({ column, onOpen, onCreate }: Props) {
  const texts = useTexts();
  return (
    <section className="column" aria-label={column.name}>
      <h2>
        <span className="dot" style={{ background: column.color ?? undefined }} aria-hidden="true" />
        {column.name}
        <span className="count">{column.tasks.length}</span>
      </h2>
      <Droppable droppableId={column.id}>
        {(drop, snapshot) => (
          <div
            ref={drop.innerRef}
            {...drop.droppableProps}
            className={snapshot.isDraggingOver ? 'cards is-target' : 'cards'}
          >
            {column.tasks.map((task, index) => (
              <Card
                key={task.id}
                task={task}
                index={index}
                isClosed={column.is_closed}
                onOpen={onOpen}
              />
            ))}
            {drop.placeholder}
          </div>
        )}
      </Droppable>
      <NameForm
        opener={texts.newTask}
        label={texts.title}
        onCreate={(title) => onCreate(title, column.id)}
      />
    </section>
  );
});
