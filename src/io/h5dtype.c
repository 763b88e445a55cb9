/* h5dtype.c - see h5message.h: datatype messages (HDF5 File Format Specification 3.0, IV.A.2.d).
 *
 * HDF5 1.10 decodes them without knowing where they end (H5O_dtype_decode_helper), and converts values by what they say: positions of
 * bits, offsets of members, sizes of elements are used as they are. */
#include "io/h5message.h"

enum {
    INTEGER, FLOAT, TIME, STRING, BITFIELD, OPAQUE, COMPOUND, REFERENCE, ENUMERATION, VARIABLE, ARRAY,
    NUMBER_MOST = 64,    /* bytes of one number: HDF5 turns them round in 256 */
    NEWEST = 4,          /* of HDF5 1.12; as 3 but for references */
    OLD_RANK_MOST = 4,   /* of a member of version 1 */
    LENGTH_BYTES = 4, INDEX_BYTES = 4 /* of a reference into the heap, beside the address */
};

/* What is being looked at. */
typedef struct datatype {
    int kind, version;
    uint64_t bits, size, at;
} datatype;

static bool look(mmli_h5_check *c, mmli_h5_piece *p, datatype *out, int depth);

static bool bad(mmli_h5_check *c, const datatype *t, const char *what)
{
    return mmli_h5_bad(c, t->at, "a datatype %s", what);
}

/* A name with its '\0', which versions before 3 fill up to 8 bytes. */
static bool name(mmli_h5_check *c, mmli_h5_piece *p, const datatype *t)
{
    enum { STEP = 8 };
    size_t n;

    if (!mmli_h5_text(&n, p))
        return bad(c, t, "has a name without an end");
    if (t->version < 3)
        (void)mmli_h5_take(p, (STEP - (n + 1) % STEP) % STEP);
    return true;
}

static bool bits(mmli_h5_check *c, const datatype *t, uint64_t offset, uint64_t precision)
{
    if (t->size > NUMBER_MOST)
        return bad(c, t, "has numbers of an impossible size");
    if (precision == 0 || offset + precision > 8 * t->size)
        return bad(c, t, "has more bits than bytes for them");
    return true;
}

static bool whole(mmli_h5_check *c, mmli_h5_piece *p, const datatype *t)
{
    const uint64_t offset = mmli_h5_number(p, 2), precision = mmli_h5_number(p, 2);

    return p->over || bits(c, t, offset, precision);
}

static bool floating(mmli_h5_check *c, mmli_h5_piece *p, const datatype *t)
{
    const uint64_t offset = mmli_h5_number(p, 2), precision = mmli_h5_number(p, 2), sign = t->bits >> 8 & 0xff;
    const uint64_t e_at = mmli_h5_number(p, 1), e_bits = mmli_h5_number(p, 1), m_at = mmli_h5_number(p, 1), m_bits = mmli_h5_number(p, 1);
    const uint64_t end = offset + precision;

    (void)mmli_h5_number(p, 4); /* the exponent's bias */
    if (p->over)
        return true;
    if (!bits(c, t, offset, precision))
        return false;
    if (e_bits == 0 || m_bits == 0 || e_at + e_bits > end || m_at + m_bits > end || sign >= end)
        return bad(c, t, "has parts of a floating-point number outside of it");
    if (e_at < m_at + m_bits && m_at < e_at + e_bits)
        return bad(c, t, "has parts of a floating-point number that overlap");
    return true;
}

/* The dimensions that version 1 has with each member; the size of the member with them. */
static bool old_dimensions(mmli_h5_check *c, mmli_h5_piece *p, const datatype *t, uint64_t *times)
{
    const uint64_t rank = mmli_h5_number(p, 1);
    uint64_t size;

    (void)mmli_h5_take(p, 3 + 4 + 4); /* permutation, reserved */
    *times = 1;
    if (rank > OLD_RANK_MOST)
        return bad(c, t, "has an array of too many dimensions");
    for (uint64_t i = 0; i < OLD_RANK_MOST; i++) {
        size = mmli_h5_number(p, 4);
        if (i < rank && (size == 0 || *times > UINT32_MAX / size))
            return p->over || bad(c, t, "has an array of an impossible size");
        *times *= i < rank ? size : 1;
    }
    return true;
}

static bool compound(mmli_h5_check *c, mmli_h5_piece *p, const datatype *t, int depth)
{
    const uint64_t n = t->bits & 0xffff;
    uint64_t total = 0, offset, times;
    datatype member;

    if (n == 0)
        return bad(c, t, "has no members");
    for (uint64_t i = 0; i < n; i++) {
        if (!name(c, p, t))
            return false;
        offset = mmli_h5_number(p, t->version >= 3 ? mmli_h5_bytes_for(t->size) : 4);
        times = 1;
        if (t->version == 1 && !old_dimensions(c, p, t, &times))
            return false;
        if (!look(c, p, &member, depth + 1))
            return false;
        if (member.size > t->size / times || offset > t->size - member.size * times)
            return bad(c, t, "has a member outside of it");
        total += member.size * times;
        if (total > t->size) /* HDF5 moves them together */
            return bad(c, t, "has members that overlap");
    }
    return true;
}

static bool enumeration(mmli_h5_check *c, mmli_h5_piece *p, const datatype *t, int depth)
{
    const uint64_t n = t->bits & 0xffff;
    datatype base;

    if (!look(c, p, &base, depth + 1))
        return false;
    if (base.kind != INTEGER || base.size != t->size)
        return bad(c, t, "has named values that are no numbers of its size");
    if (n == 0)
        return bad(c, t, "has no named values");
    for (uint64_t i = 0; i < n; i++)
        if (!name(c, p, t))
            return false;
    (void)mmli_h5_take(p, (size_t)(n * base.size));
    return true;
}

static bool variable(mmli_h5_check *c, mmli_h5_piece *p, const datatype *t, int depth)
{
    datatype base;

    if ((t->bits & 0xf) > 1)
        return bad(c, t, "has variable length in an unknown way");
    if (t->size != LENGTH_BYTES + c->address + INDEX_BYTES)
        return bad(c, t, "of variable length has another size than a reference");
    return look(c, p, &base, depth + 1);
}

static bool array(mmli_h5_check *c, mmli_h5_piece *p, const datatype *t, int depth)
{
    const uint64_t rank = mmli_h5_number(p, 1);
    uint64_t n = 1, size;
    datatype base;

    if (p->over)
        return true;
    if (t->version < 2 || rank == 0 || rank > MMLI_H5_RANK_MOST)
        return bad(c, t, "is an array of too many or no dimensions");
    if (t->version < 3)
        (void)mmli_h5_take(p, 3);
    for (uint64_t i = 0; i < rank; i++) {
        size = mmli_h5_number(p, 4);
        if (size == 0 || n > UINT32_MAX / size)
            return p->over || bad(c, t, "is an array of an impossible size");
        n *= size;
    }
    if (t->version < 3)
        (void)mmli_h5_take(p, 4 * (size_t)rank); /* permutation */
    if (!look(c, p, &base, depth + 1))
        return false;
    return (n <= UINT32_MAX / base.size && n * base.size == t->size) || bad(c, t, "is an array of another size than its elements have");
}

static bool reference(mmli_h5_check *c, const datatype *t)
{
    const uint64_t of = t->bits & 0xf;

    if (t->version > 3 || of > 1)
        return bad(c, t, "is a reference of an unknown kind; rewrite the file with h5repack of HDF5 1.10");
    return t->size == c->address + (of == 1 ? INDEX_BYTES : 0) || bad(c, t, "is a reference of an impossible size");
}

static bool of_its_kind(mmli_h5_check *c, mmli_h5_piece *p, const datatype *t, int depth)
{
    switch (t->kind) {
    case INTEGER:
    case BITFIELD: return whole(c, p, t);
    case FLOAT: return floating(c, p, t);
    case TIME: {
        const uint64_t precision = mmli_h5_number(p, 2);

        return p->over || bits(c, t, 0, precision);
    }
    case STRING: return true;
    case OPAQUE:
        (void)mmli_h5_take(p, (size_t)(t->bits & 0xff)); /* its tag */
        return true;
    case COMPOUND: return compound(c, p, t, depth);
    case REFERENCE: return reference(c, t);
    case ENUMERATION: return enumeration(c, p, t, depth);
    case VARIABLE: return variable(c, p, t, depth);
    case ARRAY: return array(c, p, t, depth);
    default: return bad(c, t, "is of an unknown class");
    }
}

static bool look(mmli_h5_check *c, mmli_h5_piece *p, datatype *out, int depth)
{
    const uint64_t at = p->at, word = mmli_h5_number(p, 4);

    *out = (datatype){(int)(word & 0xf), (int)(word >> 4 & 0xf), word >> 8, mmli_h5_number(p, 4), at};
    if (!p->over) {
        if (out->version == 0 || out->version > NEWEST)
            return bad(c, out, "is of a version that HDF5 1.10 does not know; write the file with libver='v110'");
        if (out->size == 0)
            return bad(c, out, "has elements of no bytes");
        if (depth >= MMLI_H5_DEPTH_MOST)
            return bad(c, out, "has too many types in each other");
        if (!of_its_kind(c, p, out, depth))
            return false;
    }
    return !p->over || bad(c, out, "goes over the end of its message");
}

bool mmli_h5_datatype(mmli_h5_check *c, mmli_h5_piece *p, uint64_t *size)
{
    datatype t;
    const bool ok = look(c, p, &t, 0);

    *size = ok ? t.size : 0;
    return ok;
}
