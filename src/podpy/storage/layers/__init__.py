"""One layer: unpacked, compared, copied, measured.

    LayerWriter (writer.py)   write(bytes of the uncompressed tar), finish() checks the diff id, abort(); for one thread
                              each; after finish, if `lost_tar`, call keep_tar(pieces) with the whole tar again
    Unpacker (unpack.py)      feeds a child confined to the layer's directory (src/conmon_c/native/unpack.c)
    unpack_plain(target, pieces, Plain(…)) (unpack.py)       a tar of plain files, into a directory with content
    write_tar(source, output, PackOptions(…)) -> Packed, tar_pieces(source, …) -> pieces (pack.py)
                              a directory, or a single file, becomes a tar; its child is confined, too
    recipe.py                 `tar(path, layer)` -> the layer's tar, reproduced bit for bit
    differences.py            `between(old, new)` -> list of Change, from two stacks of layer directories
    copying.py                `copy_tree(source, target, uid_maps, gid_maps)`: cp -a in C, with shifted owners
    size.py, usage.py         bytes on the disk, each block once

All need the user's namespaces: owners are ids inside.
"""
