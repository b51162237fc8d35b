/* Bears the unversioned name that civetweb opens and hands on the real libcrypto, so that no
 * development package is needed where vigia runs. */

int vigia_crypto_shim(void);

int vigia_crypto_shim(void) { return 1; }
