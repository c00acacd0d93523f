message(FATAL_ERROR "this module belongs to the project above")
