-- What is kept besides the original's columns about environments and credentials. Every column may be null, because the
-- original neither knows nor writes them.

-- Room for an encrypted token. What it was made from stands beside it: the original replaces the whole row by another one.
alter table clustercredentials
  alter column serviceaccount_bearer_token type varchar(16384),
  add column input_hash varchar(64), -- of what the credentials were made from
  add column token_expires_at timestamp, -- when the token ends; null for one that lasts
  add column service_account varchar(128); -- the one that was made on the cluster; null where none was

alter table apicrtodatabasemapping
  add column generation integer; -- of the object that the row was planned from

alter table repositorycredentials
  add column input_hash varchar(64); -- of what the row was made from

-- Whoever changes a credential without knowing of the hash makes it wrong. What is encrypted is nobody else's.
create function managed_gitops_forget_input_hash() returns trigger language plpgsql as $$
begin
  new.input_hash := null;
  return new;
end
$$;

create trigger managed_gitops_forget_input_hash before update on repositorycredentials for each row
  when (
    new.input_hash = old.input_hash
    and (new.repo_cred_url, new.repo_cred_user, new.repo_cred_pass, new.repo_cred_ssh, new.repo_cred_secret)
      is distinct from (old.repo_cred_url, old.repo_cred_user, old.repo_cred_pass, old.repo_cred_ssh, old.repo_cred_secret)
    and not (coalesce(new.repo_cred_pass, '') like 'sealed:%' or coalesce(new.repo_cred_ssh, '') like 'sealed:%')
  )
  execute function managed_gitops_forget_input_hash();

-- What the last check outside has found about an environment or a credential, by the UID of its object. A result is
-- about one input: when that has changed, it says nothing any more.
create table probe_result (
  kind varchar(64) not null,
  uid varchar(48) not null,
  input_hash varchar(64) not null,
  reason varchar(64) not null, -- '' when all was well
  message varchar(4096) not null,
  checked_at timestamp not null,
  primary key (kind, uid)
);

-- What was made on another cluster for an environment that is gone or has moved, until it is removed there.
create table environment_cleanup (
  cleanup_id varchar(48) primary key,
  environment_id varchar(48) not null,
  environment_uid varchar(48) not null,
  host varchar(512) not null,
  bearer_token varchar(16384) not null,
  allow_insecure boolean not null,
  service_account varchar(128) not null,
  requested_at timestamp not null,
  attempts integer not null default 0,
  due_at timestamp not null
);
