// The values that the service at /teamflame/api sends.

export interface Person {
  id: string;
  name: string;
  email?: string;
}

export interface Account {
  id: string;
  name: string;
  email: string;
}

export interface Place {
  id: string;
  name: string;
}

export interface BoardPlace extends Place {
  project_id: string;
  space_id: string;
}

export interface Selection {
  space_id: string;
  project_id: string;
  board_id: string;
}

export interface Task {
  id: string;
  number: string | null;
  title: string;
  priority: string | null;
  column_id: string;
  board_id: string;
  assignees: Person[];
  start: string | null;
  due: string | null;
  created: string | null;
  updated: string | null;
}

export interface Comment {
  id: string;
  author: string;
  text: string;
  created: string | null;
}

export interface TaskDetails extends Task {
  description: string;
  comments: Comment[];
}

export interface Column {
  id: string;
  name: string;
  color: string | null;
  is_closed: boolean;
  tasks: Task[];
}

export interface Board extends BoardPlace {
  columns: Column[];
  people: Person[];
}

export const NOTIFICATION_KINDS = [
  'created',
  'assigned',
  'moved',
  'commented',
  'due_soon',
  'overdue',
] as const;

export type NotificationKind = (typeof NOTIFICATION_KINDS)[number];
export type NotificationChoice = Record<NotificationKind, boolean>;

export interface Launch {
  token: string;
  expires_at: string;
  user: { id: number; first_name: string; language: string };
  account: Account | null;
  selection: Selection | null;
  start_param: string | null;
}

export interface TaskChange {
  title?: string;
  description?: string;
  assignee_ids?: string[];
  start?: string | null;
  due?: string | null;
  /** The task's `updated` as it was read: somebody else's change since then is not overwritten. */
  updated?: string;
}
