// Lambda gives credentials by its environment. The profiles, single sign-ons and instance services that the SDK would try
// besides are 95 KB in every bundle, none of which can be there.
export { fromEnv as defaultProvider } from 'credentials-from-environment'
