# ERA_TRY_FLAG(VARIABLE, FLAG): append FLAG to VARIABLE when $CC takes it.
AC_DEFUN([ERA_TRY_FLAG], [
  AC_MSG_CHECKING([whether $CC takes $2])
  era_save_CFLAGS=$CFLAGS
  CFLAGS="$CFLAGS -Werror $2"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
    [AC_MSG_RESULT([yes]); $1="$$1 $2"],
    [AC_MSG_RESULT([no])])
  CFLAGS=$era_save_CFLAGS
])

# ERA_NEED_FLAG(VARIABLE, FLAG, OPTION): as above, but OPTION cannot do without.
AC_DEFUN([ERA_NEED_FLAG], [
  AC_MSG_CHECKING([whether $CC takes $2])
  era_save_CFLAGS=$CFLAGS
  CFLAGS="$CFLAGS $2"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
    [AC_MSG_RESULT([yes]); $1="$$1 $2"],
    [AC_MSG_RESULT([no])
     AC_MSG_ERROR([$3 needs a compiler that takes $2; see contrib/install-deps])])
  CFLAGS=$era_save_CFLAGS
])
