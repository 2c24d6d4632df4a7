# Copies the page INPUT to OUTPUT, each line `[include "FILE"]` replaced by FILE,
# which is relative to OUTPUT's folder.
get_filename_component(folder "${OUTPUT}" DIRECTORY)
file(READ "${INPUT}" page)
string(REGEX MATCHALL "\\[include \"[^\"]*\"\\]" includes "${page}")
foreach(include IN LISTS includes)
  string(REGEX REPLACE "^\\[include \"(.*)\"\\]$" "\\1" file "${include}")
  file(READ "${folder}/${file}" part)
  string(REPLACE "${include}" "${part}" page "${page}")
endforeach()
file(WRITE "${OUTPUT}" "${page}")
