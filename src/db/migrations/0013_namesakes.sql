-- A namespace that is made again is another tenant. What its predecessor of the same name deployed is looked for by name.

create index deploymenttoapplicationmapping_namespace_name on deploymenttoapplicationmapping (namespace, name);
create index clusteruser_display_name on clusteruser (display_name);
