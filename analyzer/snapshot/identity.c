// AT_RANDOM alone would do for processes that exec: 16 bytes of the kernel's own randomness. A
// child that only forked shares its parent's, so registers and thread ids are part of it.
#include "analyzer/snapshot/identity.h"

#include <assert.h>
#include <openssl/evp.h>
#include <string.h>

#define RANDOM_SIZE 16
#define ID_BYTES 16

static bool add_number(EVP_MD_CTX *digest, uint64_t number)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(number >> (8 * i));
	return EVP_DigestUpdate(digest, bytes, sizeof(bytes)) == 1;
}

static bool add_image(EVP_MD_CTX *digest, struct image *image)
{
	const struct image_notes *notes = image_notes(image);
	uint8_t random[RANDOM_SIZE];

	if (notes->at_random && !image_read(image, notes->at_random, random, sizeof(random)) &&
		EVP_DigestUpdate(digest, random, sizeof(random)) != 1)
		return false;
	for (size_t i = 0; i < notes->thread_count; i++) {
		const struct image_thread *thread = &notes->threads[i];

		if (!add_number(digest, thread->id))
			return false;
		for (uint32_t n = 0; n < thread->regs.count; n++)
			if (!add_number(digest, thread->regs.raw[n]))
				return false;
	}
	return true;
}

enum cs_status identity_compute(
	struct image *image, const char *go_build_id, char *ret, size_t size)
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	uint8_t hash[EVP_MAX_MD_SIZE];
	bool is_done;

	assert(size > 2 * ID_BYTES);
	is_done =
		digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1 &&
		add_image(digest, image) &&
		(!go_build_id || EVP_DigestUpdate(digest, go_build_id, strlen(go_build_id)) == 1) &&
		EVP_DigestFinal_ex(digest, hash, NULL) == 1;
	EVP_MD_CTX_free(digest);
	if (!is_done)
		return CS_UNSUPPORTED;
	for (size_t i = 0; i < ID_BYTES; i++) {
		ret[2 * i] = "0123456789abcdef"[hash[i] >> 4];
		ret[2 * i + 1] = "0123456789abcdef"[hash[i] & 15];
	}
	ret[2 * ID_BYTES] = 0;
	return CS_OK;
}
