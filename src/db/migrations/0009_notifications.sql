-- Notifications say which row to look at, whoever wrote it. Each trigger fires only for changes that somebody acts on;
-- repeated ones of a transaction arrive once.

create function managed_gitops_notify_operation() returns trigger language plpgsql as $$
begin
  perform pg_notify('operation', new.operation_id);
  return null;
end
$$;

create trigger managed_gitops_operation_inserted after insert on operation for each row
  execute function managed_gitops_notify_operation();

-- Taking a row (In_Progress) is news to nobody; a waiting row that is touched has new intent behind it.
create trigger managed_gitops_operation_updated after update on operation for each row
  when (
    (new.state is distinct from old.state and new.state <> 'In_Progress')
    or (new.state = 'Waiting' and new.last_state_update is distinct from old.last_state_update)
    or new.human_readable_state is distinct from old.human_readable_state
  )
  execute function managed_gitops_notify_operation();

create function managed_gitops_notify_application_state() returns trigger language plpgsql as $$
begin
  perform pg_notify('application_state', new.applicationstate_application_id);
  return null;
end
$$;

create trigger managed_gitops_application_state_inserted after insert on applicationstate for each row
  execute function managed_gitops_notify_application_state();

create trigger managed_gitops_application_state_updated after update on applicationstate for each row
  when (new.argocd_application_status is distinct from old.argocd_application_status)
  execute function managed_gitops_notify_application_state();

create function managed_gitops_notify_refresh() returns trigger language plpgsql as $$
begin
  perform pg_notify('refresh', new.application_id);
  return null;
end
$$;

create trigger managed_gitops_refresh_requested after insert or update on refresh_request for each row
  execute function managed_gitops_notify_refresh();
