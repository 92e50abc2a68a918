-- Athena, over a trail that has Read events: who decrypted with the transport key, besides the function. The answer should be
-- empty. Put in the key's ARN and the function's role (the output RoleArn).
SELECT eventtime, eventname, errorcode, sourceipaddress,
  coalesce(useridentity.sessioncontext.sessionissuer.arn, useridentity.arn, useridentity.invokedby) AS who,
  json_extract_scalar(requestparameters, '$.encryptionContext["imported-key-material"]') AS secret
FROM cloudtrail_logs
WHERE eventsource = 'kms.amazonaws.com'
  AND eventname IN ('Decrypt', 'ReEncrypt')
  AND any_match(resources, one -> one.arn = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab')
  AND coalesce(useridentity.sessioncontext.sessionissuer.arn, useridentity.arn, '')
    <> 'arn:aws:iam::111122223333:role/imported-key-material-Role-1A2B3C4D5E6F'
ORDER BY eventtime DESC
