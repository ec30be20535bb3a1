-- What a row was planned from, so that a look at the row is enough: the generation of the custom resource, the
-- repository an Application reads, and the part of an Application's status that anybody uses.

alter table deploymenttoapplicationmapping add column generation bigint;

alter table application add column normalized_repo_url varchar(512);
create index application_normalized_repo_url on application (normalized_repo_url);

alter table applicationstate add column content_hash varchar(64);

-- A writer that does not know the hash leaves a stale one behind: then there is none.
create function managed_gitops_forget_content_hash() returns trigger language plpgsql as $$
begin
  new.content_hash := null;
  return new;
end
$$;

create trigger managed_gitops_forget_content_hash before update on applicationstate for each row
  when (
    new.content_hash is not distinct from old.content_hash
    and new.argocd_application_status is distinct from old.argocd_application_status
  )
  execute function managed_gitops_forget_content_hash();
