"""Keys and secrets for tests: private keys, random bytes, handmade DER, wrapped material, OpenSSL, SoftHSM; and canaries."""
