"""An app with one stack: a key that holds your own key material, and a role that may use it."""

from aws_cdk import App, Aws, CfnOutput, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct
from imported_key import ImportedKey


class Orders(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        imported = ImportedKey(
            self, "Imported", secret_id=f"{Aws.STACK_NAME}/key", alias_name=f"alias/{Aws.STACK_NAME}"
        )
        clerk = iam.Role(self, "Clerk", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        imported.key.grant_encrypt_decrypt(clerk)
        CfnOutput(self, "KeyArn", value=imported.key.key_arn)
        CfnOutput(self, "ClerkArn", value=clerk.role_arn)


if __name__ == "__main__":
    app = App()
    Orders(app, "orders-cdk")
    app.synth()
