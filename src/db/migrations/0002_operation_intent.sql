-- What our half keeps on an Operation. Rows with a dedupe_key are ours; every column may be null, because the original
-- neither knows nor writes them.

alter table operation
  add column dedupe_key varchar(256), -- engine instance, type and resource: at most one of ours waits for each
  add column delivered_at timestamp, -- when its custom resource was made
  add column attempts int, -- times it was worked on
  add column deadline_at timestamp; -- when working on it is given up

create unique index operation_waiting_dedupe_key on operation (dedupe_key) where state = 'Waiting';
create index operation_undelivered on operation (seq_id) where dedupe_key is not null and delivered_at is null;
create index operation_open on operation (instance_id, seq_id) where state in ('Waiting', 'In_Progress');
create index operation_ended on operation (last_state_update) where state in ('Completed', 'Failed');
