// Days of a task: the service keeps moments in UTC, people choose days.

export function dayOf(moment: string | null): string {
  return moment ? moment.slice(0, 10) : '';
}

export function startOf(day: string): string | null {
  return day ? `${day}T00:00:00.000Z` : null;
}

/** A task is due at the end of its day. */
export function endOf(day: string): string | null {
  return day ? `${day}T23:59:59.000Z` : null;
}

export function isOverdue(due: string | null, now: number): boolean {
  return due !== null && Date.parse(due) < now;
}

export function shortDay(day: string): string {
  const date = new Date(`${day}T12:00:00Z`);
  return Number.isNaN(date.getTime())
    ? day
    : date.toLocaleDateString(document.documentElement.lang, { day: 'numeric', month: 'short' });
}

export function moment(at: string | null): string {
  const date = new Date(at ?? '');
  if (Number.isNaN(date.getTime())) return '';
  return date.toLocaleString(document.documentElement.lang, {
    dateStyle: 'medium',
    timeStyle: 'short',
  });
}
