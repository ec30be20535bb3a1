-- How a sync ended, and in which engine it was ordered: an application that is deleted takes its own id along, and an
-- Operation goes once its end has been told. Every column may be null, because the original neither knows nor writes them.

alter table syncoperation
  add column engine_instance_id varchar(48), -- without a foreign key, like the one of a deletion
  add column ended_at timestamp, -- when its end was noted; null while it is open
  add column error varchar(1024); -- why it failed; null when it did not

create index apicrtodatabasemapping_name
  on apicrtodatabasemapping (api_resource_namespace_uid, api_resource_name, api_resource_type);
