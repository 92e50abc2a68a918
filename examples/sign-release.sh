#!/usr/bin/env bash
# Signs the zips of a release, which are in their bucket already, for Lambda: sign-release.sh BUCKET SIGNING_PROFILE
# Run it in the folder of the release. The signed zips have the same names below signed/. Profile and bucket are in one Region.
set -euo pipefail
bucket=$1 profile=$2

for zip in *.zip; do
	version=$(aws s3api head-object --bucket "$bucket" --key "$zip" --query VersionId --output text)
	job=$(aws signer start-signing-job --profile-name "$profile" --query jobId --output text \
		--source "s3={bucketName=$bucket,key=$zip,version=$version}" --destination "s3={bucketName=$bucket,prefix=jobs/}")
	aws signer wait successful-signing-job --job-id "$job"
	aws s3api copy-object --copy-source "$bucket/jobs/$job.zip" --bucket "$bucket" --key "signed/$zip" --query VersionId
done
