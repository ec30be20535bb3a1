-- A second channel about Operations says what has happened, so that who hears it need not look the row up. The first one
-- stays as it is, for releases that listen to it.

create or replace function managed_gitops_notify_operation() returns trigger language plpgsql as $$
begin
  perform pg_notify('operation', new.operation_id);
  perform pg_notify('operation_event', json_build_object(
    'id', new.operation_id, 'type', new.resource_type, 'resourceId', new.resource_id, 'state', new.state,
    'instanceId', new.instance_id, 'ownerId', new.operation_owner_user_id
  )::text);
  return null;
end
$$;
