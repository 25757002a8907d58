import type { Place } from '../model';
import { useTexts } from '../texts';

interface Props {
  label: string;
  places: Place[] | null;
  chosenId: string | null;
  onChoose: (place: Place) => void;
}

export function PlaceList({ label, places, chosenId, onChoose }: Props) {
  const texts = useTexts();
  return (
    <section>
      <h2 aria-hidden="true">{label}</h2>
      {places === null && <p className="hint">{texts.loading}</p>}
      {places?.length === 0 && <p className="hint">{texts.noPlaces}</p>}
      <ul aria-label={label} className="places">
        {places?.map((place) => (
          <li key={place.id}>
            <button
              type="button"
              aria-pressed={place.id === chosenId}
              onClick={() => onChoose(place)}
            >
              {place.name}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
