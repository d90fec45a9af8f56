"""One layer: unpacked, compared, copied, measured.

    LayerWriter (writer.py)   write(bytes of the uncompressed tar), finish() checks the diff id, abort(); for one thread
                              each; after finish, `lost_tar` asks for keep_tar(pieces): the whole tar once more
    Unpacker (unpack.py)      feeds a child that is locked into the layer's directory (src/conmon_c/native/unpack.c)
    unpack_plain(target, pieces, Plain(…)) (unpack.py)       a tar that is no layer, into a directory with content
    write_tar(source, output, PackOptions(…)) -> Packed, tar_pieces(source, …) -> pieces (pack.py)
                              a directory, or a single file, becomes a tar; the child is locked in likewise
    recipe.py                 `tar(path, layer)` -> the layer's tar again, bit for bit
    differences.py            `between(old, new)` -> list of Change, from two stacks of layer directories
    copying.py                `copy_tree(source, target, uid_maps, gid_maps)`: cp -a in C, with shifted owners
    size.py, usage.py         bytes on the disk, each block once

All need the user's namespaces: owners are those inside.
"""
