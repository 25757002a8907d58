import type { Person } from '../model';
import { useTexts } from '../texts';

const MOST_ROWS = 5;

interface Props {
  people: Person[];
  chosen: Person[];
  isDisabled: boolean;
  onChoose: (ids: string[]) => void;
}

export function AssigneeChoice({ people, chosen, isDisabled, onChoose }: Props) {
  const texts = useTexts();
  const ids = chosen.map((person) => person.id);
  const strangers = chosen.filter((one) => !people.some((person) => person.id === one.id));
  const everybody = [...people, ...strangers];
  return (
    <label>
      {texts.assignees}
      <span className="hint">{chosen.map((person) => person.name).join(', ') || texts.nobody}</span>
      <select
        multiple
        aria-label={texts.assignees}
        disabled={isDisabled}
        size={Math.min(MOST_ROWS, Math.max(2, everybody.length))}
        value={ids}
        onChange={(event) =>
          onChoose([...event.target.selectedOptions].map((option) => option.value))
        }
        onMouseDown={(event) => {
          // A click adds or removes one person, without the Ctrl key.
          const option = event.target;
          if (!(option instanceof HTMLOptionElement)) return;
          event.preventDefault();
          event.currentTarget.focus();
          const id = option.value;
          onChoose(ids.includes(id) ? ids.filter((each) => each !== id) : [...ids, id]);
        }}
      >
        {everybody.map((person) => (
          <option key={person.id} value={person.id}>
            {person.name}
          </option>
        ))}
      </select>
    </label>
  );
}
