-- An index for each foreign key that has none: without one, deleting what it refers to reads the whole table.

create index application_engine_instance_inst_id on application (engine_instance_inst_id);
create index application_managed_environment_id on application (managed_environment_id);
create index applicationowner_application_owner_user_id on applicationowner (application_owner_user_id);
create index appprojectmanagedenvironment_managed_environment_id
  on appprojectmanagedenvironment (managed_environment_id);
create index clusteraccess_gitops_engine_instance_id on clusteraccess (clusteraccess_gitops_engine_instance_id);
create index gitopsengineinstance_enginecluster_id on gitopsengineinstance (enginecluster_id);
create index managedenvironment_clustercredentials_id on managedenvironment (clustercredentials_id);
create index operation_instance_id on operation (instance_id);
create index operation_operation_owner_user_id on operation (operation_owner_user_id);
create index repositorycredentials_repo_cred_engine_id on repositorycredentials (repo_cred_engine_id);
create index repositorycredentials_repo_cred_user_id on repositorycredentials (repo_cred_user_id);
create index syncoperation_application_id on syncoperation (application_id);
