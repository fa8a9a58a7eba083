// Stands for a package that the code of a bundle could load, but that nothing in the deployed config makes it load.
export {}
