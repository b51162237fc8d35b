// Events of the journal in words.

// What a notification's event tells: to whom, of how many alerts, and what went wrong.
export function deliveryText({details, labels}) {
  const {receiver, integration, error, firing, resolved} = details ?? {};
  const counts = [[firing, 'firing'], [resolved, 'resolved']].filter(([count]) => Number(count) > 0).map(([count, word]) => `${count} ${word}`);
  return [receiver ? `to ${receiver}` : '', integration && integration !== receiver ? `(${integration})` : '', counts.join(', '), labels?.alertname ?? '']
      .filter(Boolean).join(' ') + (error ? `: ${error}` : '');
}

// One event for each notification, newest first: what became of it last, with all that its events tell.
export function newestOfEach(events) {
  const found = new Map();
  for (const event of events) {
    const key = event.details?.id ?? event.id;
    const newer = found.get(key);
    found.set(key, newer ? {...newer, details: {...event.details, ...newer.details}} : event);
  }
  return [...found.values()];
}

// What stands beside the name of an event; empty where its labels tell all.
export function eventText(event) {
  if (event.type.startsWith('notification.')) return deliveryText({details: event.details});
  if (event.type.startsWith('baseline.') || event.type === 'deploy') return event.details?.text ?? '';
  return '';
}
