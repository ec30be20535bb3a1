-- Room for what these columns are meant to hold: an RSA key and a long token, also encrypted; the longest name of a
-- Secret and of a namespace; a repository URL as long as a credential's. Widening rewrites neither table nor index.

alter table repositorycredentials
  alter column repo_cred_pass type varchar(8192),
  alter column repo_cred_ssh type varchar(16384),
  alter column repo_cred_secret type varchar(253);

alter table gitopsengineinstance alter column namespace_name type varchar(63);

alter table appprojectrepository alter column repo_url type varchar(512);
