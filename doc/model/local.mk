# doc/model: the rules as spin models; contrib/check runs check.sh.
EXTRA_DIST += doc/model/adoption.pml doc/model/charter.pml doc/model/check.sh
