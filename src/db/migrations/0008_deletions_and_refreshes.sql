-- Two lists of work that outlives the rows it is about, hence without foreign keys: a key to application would make the
-- original's own deletes fail.

-- A removed deployment whose Application may still be there.
create table deletion (
  deployment_uid varchar(48) primary key,
  namespace_uid varchar(48) not null,
  name varchar(256) not null,
  application_id varchar(48) not null,
  operation_id varchar(48) not null,
  requested_at timestamp not null
);
create index deletion_namespace_uid_name on deletion (namespace_uid, name);
create index deletion_application_id on deletion (application_id);

-- A wish that Argo CD look at the repository of an Application again. One for each application is enough.
create table refresh_request (
  application_id varchar(48) primary key,
  cause varchar(32) not null,
  delivery_id varchar(128),
  due_at timestamp not null,
  requested_at timestamp not null
);
create index refresh_request_due_at on refresh_request (due_at);
