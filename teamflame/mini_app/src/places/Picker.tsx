import { useEffect, useState } from 'react';

import type { Api } from '../api';
import type { BoardPlace, Place, Selection } from '../model';
import { NameForm } from '../NameForm';
import { useTexts } from '../texts';
import { PlaceList } from './PlaceList';

interface Props {
  api: Api;
  selection: Selection | null;
  onChosen: (selection: Selection) => void;
  report: (error: unknown) => void;
}

/** Space, project, board: each list appears when the one above it has been answered. */
export function Picker({ api, selection, onChosen, report }: Props) {
  const texts = useTexts();
  const [spaceId, setSpaceId] = useState(selection?.space_id ?? null);
  const [projectId, setProjectId] = useState(selection?.project_id ?? null);
  const [spaces, setSpaces] = useState<Place[] | null>(null);
  const [projects, setProjects] = useState<Place[] | null>(null);
  const [boards, setBoards] = useState<BoardPlace[] | null>(null);

  useEffect(() => load(() => api.spaces(), setSpaces, report), [api, report]);
  useEffect(
    () => (spaceId ? load(() => api.projects(spaceId), setProjects, report) : undefined),
    [api, report, spaceId],
  );
  useEffect(
    () => (projectId ? load(() => api.boards(projectId), setBoards, report) : undefined),
    [api, projectId, report],
  );

  const choose = async (boardId: string) => {
    try {
      onChosen(await api.select(boardId));
    } catch (error) {
      report(error);
    }
  };
  const create = async (name: string) => {
    try {
      const board = await api.createBoard(name, projectId ?? '', spaceId ?? '');
      await choose(board.id);
    } catch (error) {
      report(error);
      throw error;
    }
  };

  return (
    <main className="page">
      <h1>{texts.chooseBoard}</h1>
      <PlaceList
        label={texts.spaces}
        places={spaces}
        chosenId={spaceId}
        onChoose={(space) => {
          setSpaceId(space.id);
          setProjectId(null);
        }}
      />
      {spaceId && (
        <PlaceList
          label={texts.projects}
          places={projects}
          chosenId={projectId}
          onChoose={(project) => setProjectId(project.id)}
        />
      )}
      {spaceId && projectId && (
        <>
          <PlaceList
            label={texts.boards}
            places={boards}
            chosenId={selection?.board_id ?? null}
            onChoose={(board) => void choose(board.id)}
          />
          <NameForm opener={texts.newBoard} label={texts.name} onCreate={create} />
        </>
      )}
    </main>
  );
}

/** Reads a list, unless another one is wanted by the time it arrives. */
function load<T>(
  read: () => Promise<T>,
  take: (value: T | null) => void,
  report: (error: unknown) => void,
): () => void {
  let isWanted = true;
  take(null);
  read().then(
    (value) => isWanted && take(value),
    (error: unknown) => isWanted && report(error),
  );
  return () => {
    isWanted = false;
  };
}
