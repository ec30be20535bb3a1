-- Which engine a removed deployment's Application is in: a backend of another cluster must not take its own empty Argo CD
-- for proof that the Application is gone.

alter table deletion add column engine_instance_id varchar(48);
