-- Athena, over a trail: who imported, removed, rotated key material.
-- docs/operations.md, "Audit queries".
SELECT eventtime, recipientaccountid, awsregion, eventname, errorcode,
  coalesce(useridentity.sessioncontext.sessionissuer.arn, useridentity.arn, useridentity.invokedby) AS who,
  coalesce(element_at(resources, 1).arn, json_extract_scalar(serviceeventdetails, '$.keyId')) AS key,
  json_extract_scalar(requestparameters, '$.validTo') AS valid_to
FROM cloudtrail_logs
WHERE eventsource = 'kms.amazonaws.com'
  AND eventname IN ('ImportKeyMaterial', 'DeleteImportedKeyMaterial', 'RotateKeyOnDemand', 'DeleteExpiredKeyMaterial')
ORDER BY eventtime DESC
