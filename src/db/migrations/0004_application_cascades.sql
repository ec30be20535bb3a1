-- What belongs to one application goes with it, and nothing else does. Each foreign key is replaced under its own name,
-- found by its column because an adopted database may have named it otherwise. Existing rows are validated by the next
-- migration, so that the lock that the replacement takes is short.

do $$
declare
  foreign_key record;
begin
  for foreign_key in
    select con.conrelid::regclass as child, con.conname as name, att.attname as column_name
    from pg_constraint con
    join pg_attribute att on att.attrelid = con.conrelid and att.attnum = con.conkey[1]
    where con.contype = 'f'
      and con.confrelid = 'application'::regclass
      and con.confdeltype <> 'c'
      and con.conrelid in (
        'applicationstate'::regclass,
        'applicationowner'::regclass,
        'deploymenttoapplicationmapping'::regclass
      )
  loop
    execute format(
      'alter table %1$s drop constraint %2$I, add constraint %2$I foreign key (%3$I) '
      'references application (application_id) on delete cascade not valid',
      foreign_key.child, foreign_key.name, foreign_key.column_name
    );
  end loop;
end
$$;
