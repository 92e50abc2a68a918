"""Keys and secrets to work with: private keys, random bytes, DER by hand, wrapped material, OpenSSL, SoftHSM; and canaries."""
