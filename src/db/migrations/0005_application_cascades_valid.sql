-- Validates the foreign keys of the migration before. Readers and writers go on meanwhile.

do $$
declare
  foreign_key record;
begin
  for foreign_key in
    select conrelid::regclass as child, conname as name
    from pg_constraint
    where contype = 'f' and confrelid = 'application'::regclass and not convalidated
  loop
    execute format('alter table %s validate constraint %I', foreign_key.child, foreign_key.name);
  end loop;
end
$$;
